"""What a person looks at in releases and builds: pages of plain data, ready for JSON.

Each answer is bounded: in rows, in bytes read and in seconds. Nothing here writes.
"""
