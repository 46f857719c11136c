"""A folder of exports, and the service.yml that it asks for."""
