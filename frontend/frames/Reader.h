// Finds while a call is recorded what it reads and stores of Python's state: each instruction is judged before it runs, by the objects that
// it is about to use. What is in none of the cases here ends the search, and the function runs in eager.
#pragma once

#include "frontend/frames/Bounds.h"
#include "frontend/frames/Hook.h"
#include "frontend/frames/Values.h"
#include "frontend/frames/Watch.h"
#include "frontend/Ops.h"

#include <deque>
#include <functional>
#include <initializer_list>
#include <map>
#include <optional>
#include <unordered_set>

namespace kiln::py {

/// The recording that a reader belongs to.
class ReadListener {
public:
  virtual ~ReadListener() = default;
  /// An array from before the call is about to be read.
  virtual void addInput(PyObject *array) = 0;
  /// The array of a place that was read before.
  virtual const Array &inputAt(size_t number) = 0;
  /// How often other recordings of such calls found another number in a place.
  virtual int misses(const Place &place, PyObject *number) = 0;
  /// The same of another object of the class.
  virtual int changes(const Place &place, PyObject *object) = 0;
  /// An object becomes an anchor of the call.
  virtual void addAnchor(int number, PyObject *object) = 0;
  /// Whether the next element of an array that Python asks for is told without making the recording depend on it.
  virtual void tellNext(bool tells) = 0;
  /// How many elements were told so.
  virtual int told() = 0;
  /// The recording depends on one of them after all.
  virtual void dependOn(int told) = 0;
  /// Nobody needs one of them any more.
  virtual void forget(int told) = 0;
  virtual const Array &arrayOf(PyObject *array) = 0;
  virtual Object objectOf(Array array) = 0;
  /// Whether the call has made it.
  virtual bool isMade(const Array &array) = 0;
  /// An array as it is now, whatever is written later.
  virtual Object asItIs(PyObject *array) = 0;
  /// Whether what runs from here on is no part of the call.
  virtual void setAside(bool isAside) = 0;
  /// The array that one of them is of.
  virtual const Array &arrayTold(int told) = 0;
  /// An array of the recording is told as if its element had been asked for; its number.
  virtual int tell(const Array &array) = 0;
  /// Python goes on by a truth value; the one that it is to be told.
  virtual bool ask(const Array &answer) = 0;
};

class Reader final : public InstructionWatcher, public NumberInputs {
public:
  std::string why; // the search was ended; empty: it was not
  /// Of a call that is to compute and nothing else: sets an error of Python, before the call would do more, or what is not known.
  std::function<void(const std::string &why)> refuse;
  int64_t steps = 0, mostSteps = -1; // instructions so far, and when it has taken too long; -1: never

  /// `passed` are containers among the arguments, all of whose content is in the key; `values` other objects of the key, by identity.
  Reader(PythonState &state, ReadListener &listener, PyObject *function, std::span<PyObject *const> passed,
         std::span<PyObject *const> values);
  ~Reader() override;

  /// Whether calls of a function can be looked at.
  static bool canRead(PyObject *function) { return PyFunction_Check(function) && isHookProven(); }
  /// Starts to look. False where frames cannot be read.
  bool start();
  /// An argument of the call: an object that nobody else holds, for one of the numbers that it is given.
  void giveNumber(PyObject *apart, Py_ssize_t number);
  /// What a container among the arguments holds: one of those numbers, which is no part of the key.
  void giveItem(const GivenNumber &given, Py_ssize_t number);
  /// The call is over: whether all of it was seen. The stored values are then in the state.
  bool finish();
  void before(const Frame &frame, const Instruction &instruction, int offset) noexcept override;

  /// Numbers that loops change are kept as arrays (Carried.cpp).
  bool carries = false;
  /// Keeps the number or the range in a place as an array; false where it does so already, or cannot.
  bool carry(PyObject **slot, bool isVariable);
  void dropCarried();
  /// What counts and is kept: the number that it gives next, or the position of the element, and where it ends.
  struct CarriedRange {
    Object iterator;
    Array now;
    std::optional<Array> end; // none: a constant
    int64_t stop, step;
    double begin;           // at least, or at most, that: by its direction
    bool isOpen = false;    // that is not known
    bool isOfArray = false; // elements of a vector
  };
  /// By which factor integers of the piece under way may be beyond kMostInteger; the next one begins.
  double takeGrowth() { return std::exchange(largest, 1.0); }
  const CarriedRange *rangeOf(PyObject *iterator) const {
    auto known = ranges.find(iterator);
    return known == ranges.end() ? nullptr : &known->second;
  }
  /// The array that a number is kept as, or the element of one that it is; null for others.
  const Array *carriedAs(PyObject *number) const;
  /// Whether all stores to an object are noted.
  bool isCovered(PyObject *o) const { return originOf(o) == Origin::Covered; }

  /// The package has put containers together, in this thread, that a function is to get: a transform the arguments of the one that it runs.
  static void noteMade(PyObject *o);

private:
  /// Fresh: made in this call. Covered: what it is, is guarded. InKey: all that it holds is in the key.
  enum class Origin : uint8_t { Unknown, Fresh, Covered, InKey };
  /// What an iterator gives next: a number, what a function of C gives of such, or a tuple, of parts or of a key of a dict and what that
  /// has for it.
  struct Coming {
    int formula = -1;
    std::vector<Coming> parts = {};
    PyObject *dict = nullptr, *function = nullptr;
  };
  /// What C takes one by one under an instruction: of a generator, or of what map's function gives.
  struct Taking {
    /// Looked: in an unknown way. Kept: as it is. Numbers: a function is computed of them. Truths: it is asked which are true.
    enum Into : uint8_t { Looked, Kept, Numbers, Truths } into = Looked;
    PyObject *from = nullptr;        // the iterator, which the instruction holds; none: nothing is taken
    std::vector<Coming> coming = {}; // of a map: what its function is given next
    Formula call = {};               // of Numbers
    std::vector<int> rest = {};      // its operands behind those
    bool isSplit = false;            // it gives a list of numbers
  };
  struct Live { // a frame that runs
    Frame frame;
    PyCodeObject *code;
    const CodeMap *map;
    int last, next;                             // offsets: of what was told of last, and behind it
    std::vector<PyCodeObject *> forwarded = {}; // what the instruction under way leaves as these return it, though C calls them
    Taking taking = {};
  };
  struct Stop {};

  PythonState &state;
  ReadListener &listener;
  Values values;
  PyObject *function;
  std::vector<PyObject *> passed;
  std::unique_ptr<Hook> hook;
  NumberInputs *outer = nullptr; // whom numbers were asked of before
  Frame caller;
  std::vector<Live> live;
  std::unordered_map<PyObject *, Origin> origins;
  std::map<std::tuple<PyObject *, int, PyObject *, Py_ssize_t>, int> known; // places: read (-1), or stored to (the number of the store)
  /// The instruction under way leaves an object that it makes, and perhaps all that the object leads to.
  struct Making {
    Frame frame;
    int next = -1; // the offset behind it; -1: nothing is made
    bool isWhole = false;
  } making;
  bool hasOwnCopies = false;                     // code of the user has made parts of it
  std::unordered_set<PyObject *> changed, grown; // containers that are stored to, and appended to
  std::unordered_set<PyObject *> walked;         // containers all of whose items are known
  std::vector<Object> kept;                      // whose origin is known: no other object takes their place
  std::unordered_set<PyObject *> coveredFunctions;
  std::unordered_set<PyTypeObject *> constructing;
  std::unordered_set<PyCodeObject *> lookedAt;     // functions whose results C looks at
  std::unordered_map<PyTypeObject *, bool> looked; // classes, and whether attributes of them change with the calls
  struct CarriedNumber {
    Object number;
    Array array;
    Bounds bounds = {}; // of integers
  };
  std::unordered_map<PyObject *, CarriedNumber> carried; // numbers that are kept as arrays: objects that nobody else holds
  std::unordered_map<PyObject *, CarriedRange> ranges;
  double largest = 1;                         // of the growths of such integers, in this piece
  std::unordered_map<PyObject *, int> tagged; // numbers that are known by formula: objects that nobody else holds
  /// A number that a container holds, known by formula: nothing depends on it until it is read.
  struct OpenItem {
    Place::Kind kind; // Item, Entry or Attribute
    PyObject *key;
    Py_ssize_t index;
    PyObject *value;
    int formula;
  };
  std::unordered_map<PyObject *, std::vector<OpenItem>> openItems; // by container
  NumberValues now;                                                // what formulas are in this call
  std::unordered_set<int> pinned;                                  // formulas whose value is required
  std::unordered_set<int> proven;                                  // formulas that do not raise: it was asked
  size_t manyTold = 4;                                             // when it is looked which elements are needed still
  std::deque<Array> casts;                                         // of elements, that operations have taken
  std::unordered_set<PyObject *> asked;                            // numbers that the operation under way has taken as inputs
  PyObject *names = nullptr;                                       // of the arguments of the next call, before CPython 3.13
  PyObject *argumentNames = nullptr;                               // of the call that is judged; null also where they are not known
  bool isPrinting = false;                                         // the instruction under way does
  bool mayTag = false;                                             // the instruction under way leaves what it reads on the stack
  bool isReadOnce = false;                                         // it reads from a place what is no number
  std::unordered_map<const Instruction *, PyObject *> readFrom;    // where such ones read: that is known from now on
  bool watchesErrors = false;                                      // of NumPy's arithmetic: a block of numpy.errstate was entered
  /// What the instruction under way leaves on the stack, where it ends well.
  struct Expected {
    Frame frame;
    int next = -1;                          // the offset behind it; -1: nothing is expected
    int formula = -1;                       // of the number; -1: an array
    Formula call;                           // of a function: what its value is like, is not known before
    std::vector<int> of;                    // formulas that it uses
    std::vector<PyObject *> operands;       // beside arrays: numbers that it has to take as inputs
    bool isValue = false;                   // the element of an array
    std::optional<Array> array = {};        // of a number that is kept as one, or of the choice between several
    Bounds bounds = {};                     // of the number
    bool isChoice = false;                  // between two arrays
    bool isStore = false;                   // it leaves nothing
    bool isPassed = false;                  // the operands are taken before a function runs
    std::optional<Array> position = {};     // that an iterator, its operand, has to take
    std::optional<CarriedRange> range = {}; // that it makes, or an iterator over it
    std::vector<int> each = {};             // formulas of the numbers that it leaves, from the top on; -1: of others
    std::optional<Coming> coming = {};      // what the tuple that it leaves holds
    bool isSplit = false;                   // a list or a tuple of numbers, which `call` gives
  } expected;
  /// A range of such numbers that the last instruction has made, and which ones.
  std::optional<CarriedRange> madeRange;
  std::vector<Object> madeOf;
  std::optional<bool> instead;                 // what the question under way is answered, though values say otherwise
  Object keys;                                 // of places
  std::unordered_map<PyObject *, int> anchors; // their numbers
  int visits = 0;
  PyCodeObject *at = nullptr; // what is judged
  int atOffset = 0;

  [[noreturn]] void fail(const std::string &text);

  // Reader.cpp: frames and instructions.
  bool isWithin(const Frame &frame) const;
  void follow(const Frame &frame, const Instruction &instruction, int offset);
  static bool isOver(const Live &known);
  static bool isAnew(const Live &known, int offset);
  void open(const Frame &frame);
  void leave(size_t from);
  void judge(const Frame &frame, const Instruction &instruction, PyObject **top);
  void read(const Frame &frame, const Instruction &instruction, std::string_view name, PyObject **top);
  void judgeState(const Frame &frame, const Instruction &instruction, std::string_view name, PyObject **top);
  void global(const Frame &frame, PyObject *name);
  void storeGlobal(const Frame &frame, PyObject *name, PyObject *value);
  void cell(const Frame &frame, int variable, PyObject *stored);
  void truth(PyObject *o);
  void tellInstead(const Instruction &instruction, std::string_view name, PyObject **top);
  void operation(const Instruction &instruction, std::string_view name, PyObject **top);
  void subscript(PyObject **top);
  bool joined(int op, PyObject **top);
  void entry(PyObject *dict, PyObject *key);
  void storeItem(PyObject *container, PyObject *key, PyObject *value);
  void storeNumber(PyObject *number);
  void storeSlice(PyObject **top);
  void deleteItem(PyObject *o, PyObject *key);
  void iteration(PyObject *o);
  void iterated(PyObject *o);
  void nextItem(PyObject *iterator);
  void yielded(const Frame &frame, PyObject *value);
  void identity(PyObject *a, PyObject *b);
  void raised(PyObject *o);

  // Cover.cpp: what is known of objects.
  Origin originOf(PyObject *o) const;
  void setOrigin(PyObject *o, Origin origin) {
    origins[o] = origin;
    if (origin == Origin::Covered) kept.push_back(Object::borrow(o));
  }
  void noteResult(PyObject *o);
  static constexpr int kOneDeep = 64;           // `made` goes no further
  static constexpr size_t kMostFormulas = 1000; // of a recording
  static constexpr Py_ssize_t kMostItems = 64;  // that a function is computed of
  static constexpr int kMisses = 2;             // of other recordings: then what a place has changes with the calls
  void willMake(bool isWhole) { making = {live.back().frame, live.back().next, isWhole}; }
  void made(PyObject *o, int depth);
  void madeAnew(PyObject *o);
  void require(PyObject *o);
  PyObject *canonical(PyObject *key);
  Held heldOf(PyObject *o) const;
  Place placeOf(Place::Kind kind, PyObject *container, PyObject *key = nullptr, Py_ssize_t index = 0);
  bool isToAnchor(const Place &place, PyObject *value);
  void anchor(Place place, PyObject *value);
  void requireItself(PyObject *o);
  bool isNew(const Place &place);
  void edge(Place place, PyObject *value);
  void coverValue(PyObject *value);
  void coverKnown();
  void coverTuple(PyObject *tuple);
  void snapshot(PyObject *container);
  void walk(PyObject *container);
  void sized(PyObject *container);
  void deep(PyObject *o, int depth = 0);
  void visitAll(PyObject *o, int depth);
  void coverClass(PyObject *instance);
  bool isLooked(PyTypeObject *type);
  void coverLookup(PyObject *o, PyObject *name = nullptr);
  bool coverKind(PyObject *instance);
  void itself(Place place, PyObject *found);
  void memberItself(PyTypeObject *type, PyObject *name, PyObject *found);
  void coverType(PyTypeObject *type);
  void member(PyTypeObject *type, PyObject *name, PyObject *value);
  void store(Place::Kind kind, PyObject *container, PyObject *key, Py_ssize_t index, PyObject *value);

  // Arithmetic.cpp: numbers.
  void load(Place place, PyObject *value);
  int addRead(Place place, PyObject *value);
  bool isWidened(const Place &place, PyObject *number) const;
  bool isStoredTo(const Place &place) const;
  int formulaOf(PyObject *number);
  bool hasNumbers() const { return tagged.size() || carried.size(); }
  bool isTagged(PyObject *o) const { return hasNumbers() && (tagged.contains(o) || carried.contains(o)); }
  void tag(PyObject **slot, int formula);
  void expect(Formula formula);
  void settle(PyObject **slot, bool isDone);
  void pin(int formula);
  void pin(PyObject *number);
  bool arithmetic(const Instruction &i, std::string_view name, PyObject **top);
  bool isLateNumber(PyObject *number);
  bool isFormulaOfNumPy(PyObject *a, PyObject *b);
  bool compare(int how, PyObject *a, PyObject *b, bool areLeft = false);
  bool besideArray(int op, PyObject *a, PyObject *b);
  bool callOnNumbers(PyObject *callee, PyObject **args, Py_ssize_t n, bool hasNames);
  bool callOperation(PyObject *callee, PyObject **args, Py_ssize_t n, bool hasNames);
  bool callForValue(PyObject *callee, PyObject **args, Py_ssize_t n, bool hasNames);
  void settleValue(PyObject **slot, Formula value);
  int toldOf(int formula) const;
  void forgetValues(std::initializer_list<PyObject *> left = {});
  void returned(const Frame &frame, PyObject *value);
  void pinAll(PyObject *o, int depth = 0);
  const Array *inputOf(const void *number, DType dtype) override;
  const Array &inputFor(int formula, PyObject *value, DType dtype);
  bool isElement(int formula) const;
  const Array *elementFor(int formula, DType dtype);
  void putBack();

  // Items.cpp: numbers that containers hold.
  const OpenItem *openItem(PyObject *container, Place::Kind kind, PyObject *key, Py_ssize_t index) const;
  void loadItem(PyObject *container, Place::Kind kind, PyObject *key, Py_ssize_t index);
  void edgeOfItem(Place place, PyObject *value);
  void pinItems(PyObject *container);
  void unpacked(PyObject *container, Py_ssize_t count);
  void nextOfItems(PyObject *iterator);
  Coming comingOf(PyObject *iterator);
  const OpenItem *nextValue(PyObject *iterator);
  void settleComing(const Coming &coming, PyObject *value);
  void pinBehind(PyObject *o, int depth = 0);
  void pinResult(PyObject *o, int depth = 0);

  // Taken.cpp: what C takes of containers and iterators at once.
  std::exception_ptr failed; // why the search ends, once an iterator is at its end
  bool isOnStack(PyObject **slot) const;
  void walkedByC(PyObject *instance);
  void takenAtOnce(PyObject **slot);
  Object copyApart(PyObject *o);
  Object dictApart(PyObject *dict);
  Object listApart(PyObject *iterator);
  void tagComing(const Coming &coming, PyObject **slot);
  bool isByName(std::span<PyObject *> given, const char *name) const;
  bool callOnItems(PyObject *callee, std::span<PyObject *> given, bool hasNames);
  bool callOfTruths(std::span<PyObject *> given);
  bool callOfDict(std::span<PyObject *> given);
  std::vector<int> formulasIn(PyObject *container, bool isAnyKnown = false);
  void settleSplit(PyObject **slot, Formula call);
  void requireTruth(Formula question, PyObject *answer);
  bool isOneOf(PyObject **top);
  bool item(PyObject **top);
  bool slice(PyObject **container, std::span<PyObject *const> parts);

  // TakenInTurn.cpp: what it takes one by one.
  static bool isJudgedMap(PyObject *o);
  bool callMap(PyObject *callee, std::span<PyObject *> given, bool hasNames);
  Coming comingOfFunction(PyObject *map);
  void take(PyObject *from, Taking::Into into);
  std::vector<Coming> comingOfMap(PyObject *map);
  static bool isOfMap(const Live &by, const Frame &frame);
  void nextOfMap(Live &by, PyObject *value);
  void giveMapped(const Frame &frame);
  bool handsOn(PyObject *from, const Frame &generator, bool isLooked, bool isKept) const;
  void took(Live &by, PyObject *value);
  void giveUp(Taking &taking);
  void endTaking(Live &by, PyObject **slot);

  // Carried.cpp: numbers that loops change.
  std::optional<Array> constantFor(PyObject *number) const;
  std::optional<Array> arrayFor(PyObject *number);
  Bounds boundsOf(PyObject *number) const;
  void carryAs(PyObject **slot, Array array, Bounds bounds = {});
  void noteExact();
  void expectCarried(Array array, Bounds bounds = {});
  bool ask(const Array &answer);
  int demote(PyObject *number);
  void demoteAll();
  bool askDivisor(PyObject *number);
  bool carriedRoot(PyObject *number);
  bool carriedCall(PyObject *callee, std::span<PyObject *> given);
  bool carriedArithmetic(int op, PyObject *a, PyObject *b);
  bool carriedInvert(PyObject *number);
  bool carriedComparison(int how, PyObject *a, PyObject *b);
  void settleCarried(PyObject **slot, Array array, Bounds bounds);
  bool carryElement(PyObject **slot, int told);
  const Array *carriedBeside(PyObject *number, DType dtype);
  bool carriedIndex(PyObject *o, PyObject *key, PyObject *stored);

  // Questions.cpp: comparisons of what is computed.
  bool isAskable(int formula) const;
  bool isAskable(int formula, int &most) const;
  bool isComputed(int formula, int &most) const;
  bool isWholeAskable(int formula) const;
  Array arrayMade(const Formula &formula);
  Array arrayCalled(const Formula &formula);
  bool askDomain(int formula);
  Array arrayAsked(int formula);
  bool askedComparison(int how, int left, int right, PyObject *a, PyObject *b, bool areLeft);
  bool askedTest(PyObject *callee, PyObject *number);

  // Ranges.cpp: what counts.
  bool carryRange(PyObject *iterator);
  bool carryIterator(PyObject *iterator);
  bool nextOfRange(PyObject *iterator);
  bool callRange(PyObject *callee, std::span<PyObject *> given);
  bool iterates(std::string_view name, PyObject *o);
  void settleRange(PyObject **slot, CarriedRange range);

  // Choices.cpp: max and min of arrays.
  bool isLeft(PyObject *o) const;
  bool callChoice(PyObject *callee, std::span<PyObject *> given);
  void settleChoice(PyObject **slot, Array choice, int told);

  // Calls.cpp: calls and attributes.
  void attribute(PyObject *o, PyObject *name);
  void attributeOfInstance(PyObject *o, PyObject *name);
  void attributeLooked(PyObject *o, PyObject *name);
  void attributeOfClass(PyTypeObject *type, PyObject *name);
  void memberAlone(PyTypeObject *type, PyObject *name, PyObject *value);
  void superAttribute(PyTypeObject *from, PyObject *self, PyObject *name);
  bool isKnownMember(PyObject *found);
  void coverError(PyObject *type);
  void storeAttribute(PyObject *o, PyObject *name, PyObject *value, bool isPlain = false);
  void entered(PyObject *manager);
  void left(PyObject *exit);
  void enterProperty(PyTypeObject *type, PyObject *name, PyObject *property, bool isRead);
  static bool changesPlainly(PyTypeObject *type, PyObject *found, bool isPlain = false);
  void attributeOfMember(PyObject *o, PyObject *name);
  void deleteAttribute(PyObject *o, PyObject *name);
  void special(PyObject *o, std::initializer_list<const char *> names);
  void enter(PyObject *function);
  void forward(PyObject *function) {
    if (PyFunction_Check(function)) live.back().forwarded.push_back(reinterpret_cast<PyCodeObject *>(PyFunction_GET_CODE(function)));
  }
  void coverFunction(PyObject *function);
  void call(const Frame &frame, const Instruction &instruction, std::string_view name, PyObject **top);
  void callObject(PyObject *callee, PyObject **args, Py_ssize_t n, bool hasNames);
  bool print(PyObject *callee, PyObject **args, Py_ssize_t n, PyObject *names);
  void calledAside(PyObject *callee);
  void enterOperation(PyObject *o);
  void lookedInto(PyObject *callee, PyObject *o);
  void draw(PyObject *callee, Known kind, std::span<PyObject *const> args);
  void attributeOfNamedTuple(PyObject *o, PyObject *name);
  void callOfNumPy(PyObject *callee, std::span<PyObject *const> args);
  void makeNamedTuple(PyTypeObject *type);
  bool isKeyed(std::span<PyObject *const> args) const;
  void readGenerator(PyObject *generator);
  Object printed(PyObject *o, int depth = 0);
  bool callBuiltin(PyObject *callee, PyObject **args, Py_ssize_t n);
  bool callNative(PyObject *callee, PyObject **args, Py_ssize_t n);
  void callClass(PyTypeObject *type, PyObject **args, Py_ssize_t n);
  bool callMethodOf(PyObject *self, std::string_view name, PyObject **args, Py_ssize_t n);
  bool isOwnStart(PyObject *callee) const;

  // Containers.cpp: of collections.
  void missing(PyObject *dict, PyObject *key);
  void walkedOver(PyObject *o);
  bool callPairs(PyObject *callee, std::span<PyObject *> args, bool hasNames);
  bool callContainer(PyObject *callee, std::span<PyObject *> args, bool hasNames);
  void callOfCounter(PyObject *method, PyObject *self, std::span<PyObject *> args);

  // Copies.cpp
  bool callCopy(PyObject *callee, std::span<PyObject *> args);
  void copied(PyObject *o, bool isDeep, int depth = 0);
  void copiedInstance(PyObject *o, bool isDeep, int depth);
  PyObject *attributesOf(PyObject *o);
  static bool hasOwn(PyObject *o, PyObject *name);

  // Given.cpp: what functions of the package run and take apart.
  bool isGivenTrees = false;                     // to one that takes them apart
  std::unordered_set<PyCodeObject *> rebuilding; // what makes objects of data and children, which are a new list
  void give(PyObject *callee, std::span<PyObject *> args);
  void giveOne(PyObject *o);
  bool passOn(PyObject *callee, std::span<PyObject *const> args);
  bool passInputs(PyObject *callee, std::span<PyObject *> args);
  void passAll(PyObject *container, Expected &call);
  void pass(PyObject *number, Expected &call);
  bool isCallable(PyObject *o);
  bool takeApart(PyObject *o, int depth);

  // Wrappers.cpp: callables that hold others.
  bool callWrapper(PyObject *callee, std::span<PyObject *> args, bool hasNames);
  void callPartial(PyObject *partial, std::span<PyObject *> args, bool hasNames);
};

} // namespace kiln::py
