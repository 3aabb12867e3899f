#include "messages/values/amounts.hpp"

namespace soma::inline values {

std::string to_text(shannons amount) {
  std::string text = std::to_string(amount.value / shannons_per_soma);
  if (const auto fraction = amount.value % shannons_per_soma; fraction != 0) {
    std::string digits = std::to_string(fraction);
    digits.insert(0, 9 - digits.size(), '0');
    digits.erase(digits.find_last_not_of('0') + 1);
    text += "." + digits;
  }
  return text + " SOMA";
}

}  // namespace soma::inline values
