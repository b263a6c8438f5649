//! What the benchmarks run beside the server: the floors that its figures are ratios of, the clients
//! that ask it, and what fills its stores; and the hot functions one by one. No part of the product.
#![forbid(unsafe_code)]

#[cfg(feature = "product")]
pub mod fill;
pub mod floors;
#[cfg(feature = "product")]
pub mod hot;
pub mod load;
