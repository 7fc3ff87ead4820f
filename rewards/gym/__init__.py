"""Problems of the package reasoning-gym, scored by its own functions in a closed process."""
