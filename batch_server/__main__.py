from batch_server.command import app

app(prog_name="python -m batch_server")
