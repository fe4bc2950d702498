from clients.command_line.command import app

app(prog_name="python -m clients.command_line")
