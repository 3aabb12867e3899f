// For processors without wider vectors.
#if defined(__x86_64__)
#define SOMA_ISA_HERE isa_sse2
#elif defined(__aarch64__)
#define SOMA_ISA_HERE isa_neon
#else
#define SOMA_ISA_HERE isa_portable
#endif
#define SOMA_KERNEL_SET kernels_portable
#include "model/training/kernels/body.hpp"
