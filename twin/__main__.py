"""Entry point of `python -m twin`."""

from interruption import quiet_interruption

if __name__ == "__main__":
    with quiet_interruption():
        from twin.command import app

        app(prog_name="python -m twin")
