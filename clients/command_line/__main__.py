"""Entry point of `click-trends`."""

from interruption import quiet_interruption


def main() -> None:
    with quiet_interruption():
        from clients.command_line.command import app

        app(prog_name="click-trends")


if __name__ == "__main__":
    main()
