"""Entry point of `python -m clients.web_servers`."""

from interruption import quiet_interruption

if __name__ == "__main__":
    with quiet_interruption():
        from clients.web_servers.command import app

        app(prog_name="python -m clients.web_servers")
