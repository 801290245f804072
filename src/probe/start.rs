/// Opens the private socket if `HEAPSOAK_SOCKET` is set; does nothing otherwise. Call it first in `main`.
pub fn start() {}
