"""Entry point of `python -m operations.cost`."""

from interruption import quiet_interruption

if __name__ == "__main__":
    with quiet_interruption():
        from operations.cost.command import app

        app(prog_name="python -m operations.cost")
