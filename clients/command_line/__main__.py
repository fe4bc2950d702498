"""Entry point of `click-trends`."""

from interruption import quiet_interruption


def main() -> None:
    with quiet_interruption():
        from clients.command_line.command import app
        from clients.command_line.output import written_in_full

        with written_in_full():
            app(prog_name="click-trends")


if __name__ == "__main__":
    main()
