"""Workers: thin loops that read the chain, ask the pure rules what to do, act, and survive restarts."""
