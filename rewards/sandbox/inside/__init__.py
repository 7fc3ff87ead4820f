"""What runs inside the walls, beside the program under test."""
