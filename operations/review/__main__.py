"""Entry point of `python -m operations.review`."""

from interruption import quiet_interruption

if __name__ == "__main__":
    with quiet_interruption():
        from operations.review.command import main

        main()
