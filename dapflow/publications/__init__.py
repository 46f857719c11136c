"""What is published: which generations, of which run, since when, who read them, and what the current view shows."""
