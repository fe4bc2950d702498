"""The four stacks and the app; each room holds what they are made of."""
