//! The HTTP contract: one endpoint a file, over the driving ports of the use cases.
