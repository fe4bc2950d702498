"""Entry point of `python -m operations.doctor`."""

from interruption import quiet_interruption

if __name__ == "__main__":
    with quiet_interruption():
        from operations.doctor.command import app

        app(prog_name="python -m operations.doctor")
