"""The console: plain files under ``static/`` that a browser runs as they are written.

Nothing is built or bundled. `dispatcher.api.app` serves them, and Leaflet out of its own package.
"""
