/*
 * What a decode step costs with nothing around it: the same ONNX Runtime calls as packages/inference makes, from C.
 *
 *   peer LIBRARY MODEL THREADS LAYERS KV_HEADS CONTEXT HEAD_DIM ROWS
 *   peer bandwidth THREADS
 *
 * Reads "START STEPS" lines on standard input; for each, decodes STEPS greedy tokens in ROWS slots from START cached tokens and
 * prints the median nanoseconds of a step.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef void *(*Function)();
/* Places in struct OrtApi (onnxruntime_c_api.h); the order never changes. */
enum { ERROR_MESSAGE = 2, CREATE_ENV = 3, CREATE_SESSION = 7, RUN = 9, CREATE_OPTIONS = 10, NO_MEMORY_PATTERN = 17, OPTIMIZE = 23,
       THREADS = 24, INPUT_COUNT = 30, INPUT_NAME = 36, CREATE_TENSOR = 49, MEMORY_INFO = 69, ALLOCATOR = 78, CONFIG = 130 };
enum { FLOAT = 1, INT32 = 6, INT64 = 7 };

static Function *api;
static void *memory;

static void check(void *status) {
  if (!status) return;
  fprintf(stderr, "%s\n", ((char *(*)(void *))api[ERROR_MESSAGE])(status));
  exit(1);
}

static void *tensor(void *data, size_t bytes, const int64_t *shape, size_t rank, int type) {
  void *value = NULL;
  check(api[CREATE_TENSOR](memory, data, bytes, shape, rank, type, &value));
  return value;
}

static int64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static int ascending(const void *a, const void *b) {
  int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return (x > y) - (x < y);
}

/* Bytes a second that THREADS threads read from memory: the floor under any step that reads all weights once. */
enum { BLOCK = 256 << 20 };
static void *read_block(void *block) {
  uint64_t *words = block;
  uint64_t sum[8] = {0};
  for (size_t i = 0; i < BLOCK / 8; i += 8)
    for (int j = 0; j < 8; j++) sum[j] += words[i + j];
  return (void *)(uintptr_t)(sum[0] + sum[1] + sum[2] + sum[3] + sum[4] + sum[5] + sum[6] + sum[7]);
}

static int bandwidth(int threads) {
  pthread_t thread[64];
  char *block = malloc((size_t)BLOCK * threads);
  memset(block, 1, (size_t)BLOCK * threads);
  double best = 0;
  for (int round = 0; round < 12; round++) {
    int64_t start = now();
    for (int i = 0; i < threads; i++) pthread_create(&thread[i], NULL, read_block, block + (size_t)BLOCK * i);
    for (int i = 0; i < threads; i++) pthread_join(thread[i], NULL);
    double rate = (double)BLOCK * threads / (now() - start) * 1e9;
    if (rate > best) best = rate;
  }
  printf("%.0f\n", best);
  return 0;
}

int main(int argc, char **argv) {
  if (argc == 3 && !strcmp(argv[1], "bandwidth")) return bandwidth(atoi(argv[2]));
  if (argc != 9) return fprintf(stderr, "see the comment at the top of peer.c\n"), 2;
  int threads = atoi(argv[3]), layers = atoi(argv[4]);
  int64_t kv_heads = atoi(argv[5]), context = atoi(argv[6]), head_dim = atoi(argv[7]), rows = atoi(argv[8]);

  void *library = dlopen(argv[1], RTLD_NOW);
  if (!library) return fprintf(stderr, "%s\n", dlerror()), 1;
  void *(**base)(uint32_t) = ((void *(**(*)(void))(uint32_t))dlsym(library, "OrtGetApiBase"))();
  api = (Function *)base[0](22);

  void *env, *options, *session, *allocator;
  check(api[CREATE_ENV](4, "peer", &env));
  check(api[MEMORY_INFO](1, 0, &memory));
  check(api[CREATE_OPTIONS](&options));
  check(api[THREADS](options, threads));
  check(api[OPTIMIZE](options, 99));
  check(api[NO_MEMORY_PATTERN](options));
  check(api[CONFIG](options, "session.intra_op.allow_spinning", "1"));
  check(api[CONFIG](options, "session.force_spinning_stop", "1"));
  check(api[CREATE_SESSION](env, argv[2], options, &session));
  check(api[ALLOCATOR](&allocator));

  size_t inputs = 0;
  check(api[INPUT_COUNT](session, &inputs));
  int32_t *ids = calloc(rows, 4), *positions = calloc(rows, 4), *last = calloc(rows, 4), *logit_rows = calloc(rows, 4);
  int32_t total = (int32_t)context;
  int64_t top_k = 1, *top_ids = calloc(rows, 8);
  float *top_values = calloc(rows, 4);
  int64_t row_shape[] = {rows, 1}, list_shape[] = {rows}, one[] = {1};
  int64_t cache_shape[] = {rows, kv_heads, context, head_dim};
  size_t cache_bytes = (size_t)(rows * kv_heads * context * head_dim) * 4;

  const char *in_names[512], *out_names[512];
  void *in_values[512], *out_values[512];
  size_t outputs = 0;
  out_names[outputs] = "top_values", out_values[outputs++] = tensor(top_values, rows * 4, row_shape, 2, FLOAT);
  out_names[outputs] = "top_ids", out_values[outputs++] = tensor(top_ids, rows * 8, row_shape, 2, INT64);
  for (size_t i = 0; i < inputs; i++) {
    char *name;
    check(api[INPUT_NAME](session, i, allocator, &name));
    in_names[i] = name;
    if (!strcmp(name, "input_ids")) in_values[i] = tensor(ids, rows * 4, row_shape, 2, INT32);
    else if (!strcmp(name, "positions")) in_values[i] = tensor(positions, rows * 4, row_shape, 2, INT32);
    else if (!strcmp(name, "seqlens_k")) in_values[i] = tensor(last, rows * 4, list_shape, 1, INT32);
    else if (!strcmp(name, "total_sequence_length")) in_values[i] = tensor(&total, 4, one, 0, INT32);
    else if (!strcmp(name, "logit_rows")) in_values[i] = tensor(logit_rows, rows * 4, list_shape, 1, INT32);
    else if (!strcmp(name, "top_k")) in_values[i] = tensor(&top_k, 8, one, 1, INT64);
    else {
      in_values[i] = tensor(calloc(1, cache_bytes), cache_bytes, cache_shape, 4, FLOAT);
      char *present = malloc(strlen(name) + 4);
      sprintf(present, "present%s", name + 4);
      out_names[outputs] = present, out_values[outputs++] = in_values[i];
    }
  }
  if ((int)outputs != 2 + 2 * layers) return fprintf(stderr, "%zu outputs, %d layers\n", outputs, layers), 1;

  int start, steps;
  printf("ready\n");
  fflush(stdout);
  while (scanf("%d %d", &start, &steps) == 2) {
    int64_t *times = malloc(steps * sizeof *times);
    for (int step = 0; step < steps; step++) {
      int64_t begin = now();
      for (int row = 0; row < rows; row++) {
        ids[row] = step == 0 ? 5 + row : (int32_t)top_ids[row];
        positions[row] = last[row] = start + step;
        logit_rows[row] = row;
      }
      check(api[RUN](session, NULL, in_names, in_values, inputs, out_names, outputs, out_values));
      times[step] = now() - begin;
    }
    qsort(times, steps, sizeof *times, ascending);
    printf("%lld\n", (long long)times[steps / 2]);
    fflush(stdout);
    free(times);
  }
  return 0;
}
