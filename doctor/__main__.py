from doctor.command import app

app(prog_name="python -m doctor")
