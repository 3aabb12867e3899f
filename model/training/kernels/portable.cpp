#define SOMA_KERNEL_SET kernels_portable
#include "model/training/kernels/body.hpp"
