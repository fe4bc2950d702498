from web_servers.command import app

app(prog_name="python -m web_servers")
