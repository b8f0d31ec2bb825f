"""The proof: the suite on every fault and variation of the emulator."""
