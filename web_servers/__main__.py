"""Entry point of `python -m web_servers`."""

from interruption import quiet_interruption

if __name__ == "__main__":
    with quiet_interruption():
        from web_servers.command import app

        app(prog_name="python -m web_servers")
