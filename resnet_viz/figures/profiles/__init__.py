"""What was recorded layer by layer while nets trained, as figures and captions."""
