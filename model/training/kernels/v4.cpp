#define SOMA_KERNEL_SET kernels_v4
#include "model/training/kernels/body.hpp"
