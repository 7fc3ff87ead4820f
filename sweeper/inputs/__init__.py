"""What a run trains: models and data, made before it starts."""
