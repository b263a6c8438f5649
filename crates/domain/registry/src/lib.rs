//! Agents and their life cycle: who exists, what each may ask for.
