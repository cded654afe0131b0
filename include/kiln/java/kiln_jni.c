/* What kiln.Library (kiln/Library.java) needs of C: libraries are opened, and called by their functions over DLPack's tensors.

     cc -shared -fPIC -O2 -I $JAVA_HOME/include -I $JAVA_HOME/include/linux kiln_jni.c -o libkiln_jni.so -ldl */
#include <dlfcn.h>
#include <jni.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { kText = 512, kHost = 1 };

/* What the header of a library calls <library>_options. */
typedef struct Options {
  size_t bytes;
  const void *weights;
  const char *weights_path;
  void (*parallel_for)(void);
} Options;

/* DLPack's DLTensor. */
typedef struct Tensor {
  void *data;
  int32_t device, device_number, rank;
  uint8_t code, bits;
  uint16_t lanes;
  int64_t *shape, *strides;
  uint64_t byte_offset;
} Tensor;

typedef int32_t (*Open)(void **m, const Options *options, char *text, size_t bytes);
typedef void (*Close)(void *m);
typedef const char *(*Signature)(void);
typedef int32_t (*Call)(void *m, Tensor **inputs, size_t inputs_count, Tensor **outputs, size_t outputs_count, void *workspace,
                        size_t workspace_bytes, char *text, size_t bytes);

typedef struct Opened {
  void *file, *m;
  Close close;
} Opened;

/* A pointer of another kind; C has no cast from data to functions. */
static void *symbol(void *file, const char *name, void *function, size_t bytes) {
  void *found = dlsym(file, name);
  memcpy(function, &found, bytes);
  return found;
}

static void fail(JNIEnv *env, const char *name, const char *text) {
  jclass type = (*env)->FindClass(env, name);
  if (type) (*env)->ThrowNew(env, type, text);
}

static char *text_of(JNIEnv *env, jbyteArray bytes) {
  jsize length = (*env)->GetArrayLength(env, bytes);
  char *text = malloc((size_t)length + 1);
  if (!text) return fail(env, "java/lang/OutOfMemoryError", "kiln"), NULL;
  (*env)->GetByteArrayRegion(env, bytes, 0, length, (jbyte *)text);
  text[length] = 0;
  return text;
}

/* The sentence of a status goes back to Java as bytes. */
static void keep_text(JNIEnv *env, jbyteArray to, const char *text) {
  jsize length = (jsize)strlen(text), room = (*env)->GetArrayLength(env, to);
  (*env)->SetByteArrayRegion(env, to, 0, length < room ? length : room, (const jbyte *)text);
}

static jlong open_file(JNIEnv *env, const char *path, const char *name, const char *weights, jintArray failed, jbyteArray sentence) {
  char function[kText], text[kText] = "";
  Open open;
  Close close;
  Options options = {sizeof options, NULL, weights, NULL};
  void *m = NULL, *file = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (!file) return fail(env, "java/lang/UnsatisfiedLinkError", dlerror()), 0;
  snprintf(function, sizeof function, "%s_open", name);
  int is_found = symbol(file, function, &open, sizeof open) != NULL;
  snprintf(function, sizeof function, "%s_close", name);
  is_found = is_found && symbol(file, function, &close, sizeof close);
  if (!is_found) {
    snprintf(text, sizeof text, "%s: expected a library of Kiln with the name '%s' in C, got another", path, name);
    return dlclose(file), fail(env, "java/lang/UnsatisfiedLinkError", text), 0;
  }
  int32_t status = open(&m, &options, text, sizeof text);
  Opened *opened = status ? NULL : malloc(sizeof *opened);
  if (status) {
    (*env)->SetIntArrayRegion(env, failed, 0, 1, &status);
    keep_text(env, sentence, text);
  } else if (!opened) close(m), fail(env, "java/lang/OutOfMemoryError", "kiln");
  else *opened = (Opened){file, m, close};
  if (!opened) dlclose(file);
  return (jlong)(intptr_t)opened;
}

JNIEXPORT jlong JNICALL Java_kiln_Library_open0(JNIEnv *env, jclass type, jbyteArray file, jbyteArray name, jbyteArray weights,
                                                jintArray failed, jbyteArray sentence) {
  (void)type;
  char *path = text_of(env, file), *called = path ? text_of(env, name) : NULL, *from = called && weights ? text_of(env, weights) : NULL;
  jlong opened = called && (from || !weights) ? open_file(env, path, called, from, failed, sentence) : 0;
  free(path), free(called), free(from);
  return opened;
}

JNIEXPORT jbyteArray JNICALL Java_kiln_Library_signature0(JNIEnv *env, jclass type, jlong library, jbyteArray name) {
  (void)type;
  char function[kText], *called = text_of(env, name);
  Signature signature = NULL;
  if (!called) return NULL;
  snprintf(function, sizeof function, "%s_signature", called);
  free(called);
  symbol(((Opened *)(intptr_t)library)->file, function, &signature, sizeof signature);
  const char *text = signature ? signature() : "";
  jbyteArray bytes = (*env)->NewByteArray(env, (jsize)strlen(text));
  if (bytes) (*env)->SetByteArrayRegion(env, bytes, 0, (jsize)strlen(text), (const jbyte *)text);
  return bytes;
}

JNIEXPORT jlong JNICALL Java_kiln_Library_find0(JNIEnv *env, jclass type, jlong library, jbyteArray name) {
  (void)type;
  char text[kText], *called = text_of(env, name);
  if (!called) return 0;
  void *found = dlsym(((Opened *)(intptr_t)library)->file, called);
  snprintf(text, sizeof text, "expected a function of the library, got none with the symbol '%s'", called);
  free(called);
  if (!found) fail(env, "java/lang/IllegalArgumentException", text);
  return (jlong)(intptr_t)found;
}

/* Fills the tensors that `forms` describes, and pointers to them. */
static void describe(JNIEnv *env, jobjectArray buffers, jlong *forms, jsize count, Tensor *tensors, Tensor **pointers) {
  for (jsize i = 0; i < count; ++i) {
    jobject buffer = (*env)->GetObjectArrayElement(env, buffers, i);
    tensors[i] = (Tensor){(*env)->GetDirectBufferAddress(env, buffer),
                          kHost,
                          0,
                          (int32_t)forms[2],
                          (uint8_t)forms[0],
                          (uint8_t)forms[1],
                          1,
                          (int64_t *)forms + 3,
                          NULL,
                          0};
    (*env)->DeleteLocalRef(env, buffer);
    pointers[i] = &tensors[i];
    forms += 3 + forms[2];
  }
}

JNIEXPORT jint JNICALL Java_kiln_Library_call0(JNIEnv *env, jclass type, jlong library, jlong function, jobjectArray inputs,
                                               jlongArray input_forms, jobjectArray outputs, jlongArray output_forms, jbyteArray sentence) {
  (void)type;
  int32_t status = 0;
  jsize in = (*env)->GetArrayLength(env, inputs), out = (*env)->GetArrayLength(env, outputs);
  char text[kText] = "";
  void *found = (void *)(intptr_t)function;
  Call call;
  memcpy(&call, &found, sizeof call);
  Tensor *tensors = calloc((size_t)(in + out) + 1, sizeof(Tensor) + sizeof(Tensor *));
  if (!tensors) return fail(env, "java/lang/OutOfMemoryError", "kiln"), 0;
  Tensor **pointers = (Tensor **)(tensors + in + out + 1);
  jlong *in_forms = (*env)->GetLongArrayElements(env, input_forms, NULL);
  jlong *out_forms = in_forms ? (*env)->GetLongArrayElements(env, output_forms, NULL) : NULL;
  if (out_forms) {
    describe(env, inputs, in_forms, in, tensors, pointers);
    describe(env, outputs, out_forms, out, tensors + in, pointers + in);
    status = call(((Opened *)(intptr_t)library)->m, pointers, (size_t)in, pointers + in, (size_t)out, NULL, 0, text, sizeof text);
    if (status) keep_text(env, sentence, text);
    (*env)->ReleaseLongArrayElements(env, output_forms, out_forms, 0); /* with the sizes that values decided */
  }
  if (in_forms) (*env)->ReleaseLongArrayElements(env, input_forms, in_forms, JNI_ABORT);
  free(tensors);
  return status;
}

JNIEXPORT void JNICALL Java_kiln_Library_close0(JNIEnv *env, jclass type, jlong library) {
  (void)env, (void)type;
  Opened *opened = (Opened *)(intptr_t)library;
  opened->close(opened->m);
  dlclose(opened->file);
  free(opened);
}
