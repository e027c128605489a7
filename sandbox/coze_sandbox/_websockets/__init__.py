"""WebSockets: connections, sessions, protocols."""
