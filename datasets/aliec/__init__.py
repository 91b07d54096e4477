"""Ali_Display_Ad_Click: its raw files, their cache, and a generator of the same schema."""
