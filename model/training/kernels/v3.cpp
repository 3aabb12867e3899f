#define SOMA_KERNEL_SET kernels_v3
#include "model/training/kernels/body.hpp"
