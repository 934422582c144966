"""What clients saw, and whether that was allowed."""
