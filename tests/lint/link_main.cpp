// The link test of a library: it fails in the linker, so the program itself has nothing to do.
int main() {
  return 0;
}
