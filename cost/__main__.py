"""Entry point of `python -m cost`."""

from interruption import quiet_interruption

if __name__ == "__main__":
    with quiet_interruption():
        from cost.command import app

        app(prog_name="python -m cost")
