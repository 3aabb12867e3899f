#include "deploy/soma/wrapped_help.hpp"

#include <doctest/doctest.h>

using soma::cli::wrapped_help;

TEST_CASE("a description is broken between words and goes on below its beginning") {
  CHECK(wrapped_help("Options:\n"
                     "  --seed N      decides the fresh weights and the order of windows\n"
                     "  --force       short\n",
                     45) ==
        "Options:\n"
        "  --seed N      decides the fresh weights and\n"
        "                the order of windows\n"
        "  --force       short\n");
  CHECK(wrapped_help("                what stands in a line of its own", 40) ==
        "                what stands in a line of\n"
        "                its own");
}

TEST_CASE("on a narrow terminal the description moves to the left") {
  CHECK(wrapped_help("  --seed N                      decides the fresh weights", 30) ==
        "  --seed N\n"
        "    decides the fresh weights");
}

TEST_CASE("a command goes on in the next line as a shell reads it, and a quoted text stays whole") {
  CHECK(wrapped_help("Example:\n  soma ask \"one two three\" --bytes 300 --seed 7", 40) ==
        "Example:\n"
        "  soma ask \"one two three\" --bytes 300 \\\n"
        "      --seed 7");
  CHECK(wrapped_help("  soma ask \"one two three four five six\"", 20) ==
        "  soma ask \\\n"
        "      \"one two three four five six\"");
}

TEST_CASE("a text that fits stays as it is, and a word is never cut") {
  const std::string text = "Usage: soma [OPTIONS]\n\n  --x  y\n";
  CHECK(wrapped_help(text, 100) == text);
  CHECK(wrapped_help("abcdefghijkl mnopqrstuvwx", 10) == "    abcdefghijkl\n    mnopqrstuvwx");
}
