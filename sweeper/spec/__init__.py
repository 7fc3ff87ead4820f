"""What a run is: frozen, typed, hashed; one file per config group, and `identity`: which settings make a run's id."""
