#define SOMA_KERNEL_SET kernels_v3
#include "model/torch/kernels_body.hpp"
