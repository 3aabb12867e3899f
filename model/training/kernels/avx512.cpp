#define SOMA_ISA_HERE isa_avx512
#define SOMA_KERNEL_SET kernels_avx512
#include "model/training/kernels/body.hpp"
