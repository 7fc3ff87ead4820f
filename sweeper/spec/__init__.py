"""What a run is: frozen, typed, hashed; one file a config group."""
