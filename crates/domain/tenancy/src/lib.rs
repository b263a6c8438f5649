//! Organizations, their plans and limits, and the Scope that says who acts where.
