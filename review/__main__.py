from review.command import main

main()
