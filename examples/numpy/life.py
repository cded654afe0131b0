"""Conway's game of life on a torus: patterns, their populations, and the period that they fall into."""
import kiln.numpy as np

PATTERNS = {
    "glider": [(0, 1), (1, 2), (2, 0), (2, 1), (2, 2)],
    "blinker": [(5, 4), (5, 5), (5, 6)],
    "toad": [(5, 5), (5, 6), (5, 7), (6, 4), (6, 5), (6, 6)],
    "block": [(3, 3), (3, 4), (4, 3), (4, 4)],
    "r-pentomino": [(7, 8), (7, 9), (8, 7), (8, 8), (9, 8)],
}


def neighbours(board):
    total = np.zeros_like(board)
    for i in (-1, 0, 1):
        for j in (-1, 0, 1):
            if i or j:
                total = total + np.roll(np.roll(board, i, axis=0), j, axis=1)
    return total


def step(board):
    near = neighbours(board)
    born = (board == 0) & (near == 3)
    stays = (board == 1) & ((near == 2) | (near == 3))
    return np.where(born | stays, 1, 0)


def place(cells, size):
    board = np.zeros((size, size), dtype=int)
    for row, column in cells:
        board[row, column] = 1
    return board


def centre(board):
    rows, columns = np.nonzero(board)
    return np.array([rows.mean(), columns.mean()])


def run(board, steps):
    populations = [board.sum()]
    boards = [board]
    for _ in range(steps):
        board = step(board)
        populations.append(board.sum())
        boards.append(board)
    return boards, np.array(populations)


def period(boards):
    last = boards[-1]
    for back in range(1, len(boards)):
        if np.array_equal(boards[-1 - back], last):
            return back
    return 0


def main():
    results = []
    for name, cells in PATTERNS.items():
        boards, populations = run(place(cells, 16), 24)
        results += [populations, centre(boards[8]), np.array(period(boards))]
    return results
