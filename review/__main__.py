"""Entry point of `python -m review`."""

from interruption import quiet_interruption

if __name__ == "__main__":
    with quiet_interruption():
        from review.command import main

        main()
