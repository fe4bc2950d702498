"""The four stacks and the app; each folder holds what they are made of."""
