"""Entry point of `python -m cost`."""

from cost.command import app

if __name__ == "__main__":
    app(prog_name="python -m cost")
