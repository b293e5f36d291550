"""The tables of the state database: each module holds all the SQL of its table."""
