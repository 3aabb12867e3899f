#define SOMA_ISA_HERE isa_avx2
#define SOMA_KERNEL_SET kernels_avx2
#include "model/training/kernels/body.hpp"
