"""Sorts by hand, element by element: insertion, selection, a heap, merging, and counting."""
import kiln.numpy as np


def numbers(n):
    return (np.arange(n) * 7919 + 13) % 101


def insertion(a):
    a = a.copy()
    for i in range(1, len(a)):
        j = i
        while j > 0 and a[j - 1] > a[j]:
            a[j - 1], a[j] = a[j].copy(), a[j - 1].copy()
            j -= 1
    return a


def selection(a):
    a = a.copy()
    for i in range(len(a) - 1):
        least = i + int(np.argmin(a[i:]))
        a[[i, least]] = a[[least, i]]
    return a


def sift(a, start, end):
    root = start
    while 2 * root + 1 < end:
        child = 2 * root + 1
        if child + 1 < end and a[child] < a[child + 1]:
            child += 1
        if a[root] >= a[child]:
            return
        a[[root, child]] = a[[child, root]]
        root = child


def heap(a):
    a = a.copy()
    for start in range(len(a) // 2 - 1, -1, -1):
        sift(a, start, len(a))
    for end in range(len(a) - 1, 0, -1):
        a[[0, end]] = a[[end, 0]]
        sift(a, 0, end)
    return a


def merge(left, right):
    places = np.searchsorted(left, right, side="right") + np.arange(len(right))
    result = np.empty(len(left) + len(right), dtype=left.dtype)
    taken = np.zeros(len(result), dtype=bool)
    taken[places] = True
    result[taken] = right
    result[~taken] = left
    return result


def merging(a):
    if len(a) < 2:
        return a
    middle = len(a) // 2
    return merge(merging(a[:middle]), merging(a[middle:]))


def counting(a):
    return np.repeat(np.arange(a.max() + 1), np.bincount(a))


def main():
    a = numbers(24)
    return [np.sort(a)] + [sort(a) for sort in (insertion, selection, heap, merging, counting)]
