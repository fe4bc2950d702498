"""Entry point of `python -m doctor`."""

from interruption import quiet_interruption

if __name__ == "__main__":
    with quiet_interruption():
        from doctor.command import app

        app(prog_name="python -m doctor")
